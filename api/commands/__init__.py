"""What the words of the command line do: one module a word, imported when it is said."""
