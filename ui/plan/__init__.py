"""The plans page in its parts: what is asked, the places that work is done at, the answer, and what is kept of it."""
