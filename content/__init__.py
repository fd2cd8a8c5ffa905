"""What a post is, how it is obtained, found and shown."""
