"""C4: who may call, how much, until when."""
