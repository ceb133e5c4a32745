"""Who did it: months and sub-daily episodes, suspects and their odds, the evidence in findings, where to sample next."""
