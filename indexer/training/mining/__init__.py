"""Parts of the miner: what makes a good pair, which licences may be used, what must never be trained on."""
