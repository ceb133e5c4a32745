"""Everything that speaks Streamlit besides app.py."""
