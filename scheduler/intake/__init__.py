"""What comes in: which sources are read when, what of a read is new, and which chats it is for."""
