"""Play proposed terms on real history before promising them."""
