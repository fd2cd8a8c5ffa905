"""Push: sources that tell of their posts, by a WebSub hub or by calling a hook."""
