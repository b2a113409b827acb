package main

import (
	"context"
	"errors"
	"time"

	"byline.example/go-peer/byline"
	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

// newHost listens nowhere.
func newHost(security libp2p.Option) (host.Host, error) {
	return libp2p.New(
		libp2p.NoListenAddrs,
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableMetrics(),
		security,
	)
}

func dial(ctx context.Context, host host.Host, address string) (network.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	info, err := peer.AddrInfoFromString(address)
	if err != nil {
		return nil, err
	}
	if err := host.Connect(ctx, *info); err != nil {
		return nil, err
	}
	return host.Network().ConnsToPeer(info.ID)[0], nil
}

// grafted tells, once, that somebody is in the mesh of a topic.
type grafted chan struct{}

func (g grafted) Trace(event *pb.TraceEvent) {
	if event.GetType() == pb.TraceEvent_GRAFT {
		select {
		case g <- struct{}{}:
		default:
		}
	}
}

func (m *member) connect(ctx context.Context, address string) (fact, error) {
	host, err := newHost(libp2p.Security(noise.ID, noise.New))
	if err != nil {
		return nil, err
	}
	m.host = host
	meshed := make(grafted, 1)
	gossip, err := pubsub.NewGossipSub(ctx, host, pubsub.WithEventTracer(meshed))
	if err != nil {
		return nil, err
	}
	if m.topic, err = gossip.Join(byline.Statements); err != nil {
		return nil, err
	}
	messages, err := m.topic.Subscribe()
	if err != nil {
		return nil, err
	}
	go m.hear(messages)
	connection, err := dial(ctx, host, address)
	if err != nil {
		return nil, err
	}
	m.node = connection.RemotePeer()
	select {
	case <-meshed:
	case <-time.After(wait):
		return nil, errors.New("the node did not join the mesh")
	}
	state := connection.ConnState()
	return fact{"peer": host.ID(), "encryption": state.Security, "multiplexer": state.StreamMultiplexer}, nil
}

// plaintext says whether a node would talk without encryption.
func plaintext(ctx context.Context, address string) (fact, error) {
	host, err := newHost(libp2p.NoSecurity)
	if err != nil {
		return nil, err
	}
	defer host.Close()
	connection, err := dial(ctx, host, address)
	if err != nil {
		return fact{"refused": true, "message": err.Error()}, nil
	}
	return fact{"refused": false, "encryption": connection.ConnState().Security}, nil
}
