"""The science: numpy, scipy, pandas, networkx. No files, maps, SQL, UI, clocks."""
