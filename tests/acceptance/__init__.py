"""The acceptance suite: both stacks on two accounts, deployed by the README's commands, and what only AWS can judge."""
