"""The conversation between a box and central, without a wire: messages, windows, sessions, back-off. No I/O."""
