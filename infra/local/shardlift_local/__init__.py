"""The local stack of Shardlift: two AWS accounts on this machine, and the demo that uses them."""
