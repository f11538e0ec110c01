"""The real state machine on the local stack: with scripted functions, and with the real ones."""
