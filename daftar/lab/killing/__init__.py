"""Killing the real server, again and again, with the terminal in every state."""
