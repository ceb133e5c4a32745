"""From what a file says to rows of the data dictionary: recognised, converted, doubted, admitted or refused."""
