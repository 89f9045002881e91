"""Tools that show what samewire found: nothing here changes a state or an answer."""
