"""What is written from campaign definitions for tools: typed Python for editors and type checkers, a JSON Schema."""
