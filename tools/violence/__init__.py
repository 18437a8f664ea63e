"""What tools/chaos is made of: a daemon to harm, shapes of queries, faults, and checks of what is left."""
