package main

import (
	_ "filippo.io/edwards25519"
	_ "github.com/libp2p/go-libp2p"
	_ "github.com/libp2p/go-libp2p-pubsub"
)

func main() {}
