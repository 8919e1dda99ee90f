"""What a model is shown of what was said, and what is taken of what it answers. All of it is pure."""
