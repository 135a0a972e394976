"""The conversation between a box and central, without a wire: messages, plan, sessions. No I/O."""
