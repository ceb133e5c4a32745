"""How the water stands: classes, attainment, margins, trends, the ledger, compensation, the board."""
