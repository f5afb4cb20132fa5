"""One reader a file: the function of a data set's name returns it."""
