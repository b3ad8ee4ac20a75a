// A file may say nothing.
