"""From files to files, for every face: what is read, checked, made and written."""
