"""Kafka for samewire's workers: clients, the exactly-once batch, the main loop, topics and supervision.

`from kafka import ...` inside this package means the kafka-python library.
"""
