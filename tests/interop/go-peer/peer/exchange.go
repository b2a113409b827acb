package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"byline.example/go-peer/byline"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// An exchange is requests and responses in turn: docs/spec/network.md, "Frames".
type exchange struct {
	stream network.Stream
	most   uint32 // bytes of a response
}

func open(ctx context.Context, host host.Host, node peer.ID, name protocol.ID, most uint32) (*exchange, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	stream, err := host.NewStream(ctx, node, name)
	return &exchange{stream, most}, err
}

// ask gives the body of the response to a request.
func (e *exchange) ask(request byline.Map) ([]byte, error) {
	if err := e.stream.SetDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	body := byline.Encode(request)
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	if _, err := e.stream.Write(append(frame, body...)); err != nil {
		return nil, err
	}
	var length uint32
	if err := binary.Read(e.stream, binary.BigEndian, &length); err != nil {
		return nil, err
	}
	if length > e.most {
		return nil, &byline.Fault{Kind: byline.Malformed, Message: fmt.Sprintf("a frame of %d bytes", length)}
	}
	response := make([]byte, length)
	_, err := io.ReadFull(e.stream, response)
	return response, err
}

func (e *exchange) close() { e.stream.Close() }
