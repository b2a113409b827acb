// Peer is a peer on go-libp2p: it takes commands, one a line, and prints facts, one JSON
// line each.
//
//	connect ADDRESS        dials, and joins the topic of statements
//	publish TEXT           makes, signs and publishes a statement about a text
//	follow                 reads the log to its end; once more: what came since
//	query HEX              asks about a SHA-256, and checks the bundle
//	plaintext ADDRESS      dials without Noise, by another host
//
// Each command ends with one fact of its name.  What gossip brings is told when it comes.
package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"time"

	"byline.example/go-peer/byline"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	wait  = 30 * time.Second // for anything that the other side does
	depth = uint64(4)
)

type fact map[string]any

// A member takes part in a network through one node.
type member struct {
	key      ed25519.PrivateKey
	follower *byline.Follower
	host     host.Host
	node     peer.ID
	topic    *pubsub.Topic
	out      *json.Encoder
	printing sync.Mutex
}

func main() {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	m := &member{key: key, follower: byline.NewFollower(), out: json.NewEncoder(os.Stdout)}
	commands := map[string]func(context.Context, string) (fact, error){
		"connect": m.connect, "publish": m.publish, "follow": m.follow, "query": m.query,
		"plaintext": plaintext,
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		name, argument, _ := strings.Cut(lines.Text(), " ")
		command, is := commands[name]
		if !is {
			log.Fatalf("no command %q", name)
		}
		told, err := command(context.Background(), argument)
		if err != nil {
			told = fact{"error": fmt.Sprintf("%T", err), "kind": byline.KindOf(err), "message": err.Error()}
		}
		m.tell(name, told)
	}
	if m.host != nil {
		m.host.Close()
	}
}

func (m *member) tell(name string, told fact) {
	m.printing.Lock()
	defer m.printing.Unlock()
	told["fact"] = name
	if err := m.out.Encode(told); err != nil {
		log.Fatal(err)
	}
}

func (m *member) publish(ctx context.Context, text string) (fact, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	fields := byline.Map{"about": multihash(text), "title": text, "type": "work"}
	statement, err := byline.MakeStatement(m.key, salt, uint64(time.Now().UnixMilli()), fields)
	if err != nil {
		return nil, err
	}
	told := fact{"id": hex.EncodeToString(statement.ID), "envelope": hex.EncodeToString(statement.Envelope)}
	return told, m.topic.Publish(ctx, byline.MakeBatch(statement))
}

func multihash(text string) []byte {
	digest := sha256.Sum256([]byte(text))
	return byline.Multihash(digest[:])
}

// hear tells of every batch that the mesh brings.
func (m *member) hear(messages *pubsub.Subscription) {
	for {
		message, err := messages.Next(context.Background())
		if err != nil {
			return // the host is closed
		}
		if message.Local {
			continue
		}
		told := fact{"from": message.GetFrom().String()}
		if batch, err := byline.ParseBatch(message.Data); err != nil {
			told["bad"], told["message"] = 1, err.Error()
		} else {
			told["ids"], told["bad"], told["unsupported"] = ids(batch.Fresh), batch.Bad, batch.Unsupported
		}
		m.tell("gossip", told)
	}
}

func ids(statements []*byline.Statement) []string {
	ids := []string{}
	for _, statement := range statements {
		ids = append(ids, hex.EncodeToString(statement.ID))
	}
	return ids
}

func (m *member) follow(ctx context.Context, _ string) (fact, error) {
	exchange, err := open(ctx, m.host, m.node, byline.Follow, byline.MostFollow)
	if err != nil {
		return nil, err
	}
	defer exchange.close()
	asked := []any{}
	err = m.follower.Round(func(request byline.Map) (*byline.Response, error) {
		asked = append(asked, request["ask"])
		response, err := exchange.ask(request)
		if err != nil {
			return nil, err
		}
		return byline.ParseResponse(response)
	})
	if err == nil && m.follower.Cursor == nil {
		err = errors.New("the node's set is the same as that of nothing")
	}
	if err != nil {
		return nil, err
	}
	gaps := []string{}
	for _, id := range m.follower.Gaps {
		gaps = append(gaps, hex.EncodeToString(id))
	}
	cursor := m.follower.Cursor
	return fact{
		"asked": asked, "vkey": cursor.VKey, "gaps": gaps,
		"size": cursor.Checkpoint.Size, "root": hex.EncodeToString(cursor.Checkpoint.Root),
		"leaves": cursor.Tree.Size, "statements": ids(m.follower.Statements),
		"set": hex.EncodeToString(m.follower.SetRoot()), "claimed": hex.EncodeToString(cursor.Last.Root),
	}, nil
}

func (m *member) query(ctx context.Context, digest string) (fact, error) {
	named, err := hex.DecodeString(digest)
	if err != nil {
		return nil, err
	}
	asked := byline.Multihash(named)
	exchange, err := open(ctx, m.host, m.node, byline.Query, byline.MostQuery)
	if err != nil {
		return nil, err
	}
	defer exchange.close()
	response, err := exchange.ask(byline.Map{"ask": "bundle", "depth": depth, "digest": asked})
	if err != nil {
		return nil, err
	}
	answer, err := byline.ParseAnswer(response, asked)
	if err != nil {
		return nil, err
	}
	return fact{
		"size": answer.Checkpoint.Size, "root": hex.EncodeToString(answer.Checkpoint.Root),
		"ids": ids(answer.Statements), "log": answer.Log,
	}, nil
}
