package sdk

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/nasc-project/nasc/plugins/wire"
)

// Serve answers the host until it is gone, and is the last thing that a
// plugin's main function calls. Started by hand, or with a plugin whose
// declaration is wrong, it says so on standard error and exits with status 2.
func Serve(p Plugin) {
	stderr := os.Stderr // go-plugin will replace the variable
	log := newLogger(stderr)
	s, err := newServer(p, Env{Log: log})
	if err != nil {
		fmt.Fprintf(stderr, "the plugin %s is declared wrongly: %v\n", p.Name, err)
		os.Exit(2)
	}
	if os.Getenv(wire.CookieKey) != wire.CookieValue {
		fmt.Fprintf(stderr, "this is the nasc plugin %s %s; nasc starts it when a search needs it\n", p.Name, p.Version)
		os.Exit(2)
	}
	endWithHost(socketHome())
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{wire.ProtocolVersion: {wire.ServiceName: &grpcPlugin{server: s}}},
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: stderr, JSONFormat: true, Name: "serve"}),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.MaxRecvMsgSize(wire.MaxMessage), grpc.MaxSendMsgSize(wire.MaxMessage),
				grpc.InitialWindowSize(wire.Window), grpc.InitialConnWindowSize(wire.Window))...)
		},
	})
}

// newLogger writes what go-plugin's host understands: JSON lines with the keys
// of hclog.
func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return a
			}
			switch a.Key {
			case slog.TimeKey:
				return slog.String("@timestamp", a.Value.Time().Format("2006-01-02T15:04:05.000000Z07:00"))
			case slog.LevelKey:
				return slog.String("@level", strings.ToLower(a.Value.String()))
			case slog.MessageKey:
				return slog.Attr{Key: "@message", Value: a.Value}
			}
			return a
		}}))
}

// socketHome is the private folder of this process that the host made, to be
// removed should the host be gone; empty when there is none.
func socketHome() string {
	home := os.Getenv(wire.SocketHomeKey)
	socket := os.Getenv(plugin.EnvUnixSocketDir)
	if !strings.HasPrefix(filepath.Base(home), wire.SocketHomePrefix) || filepath.Dir(socket) != home {
		return ""
	}
	return home
}

// forgetHost removes from the environment what was meant for this process
// alone, so that a plugin which starts plugins does not hand it on.
func forgetHost() {
	for _, entry := range os.Environ() {
		key, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(key, "PLUGIN_") || key == wire.CookieKey || key == wire.HostPidKey || key == wire.SocketHomeKey {
			os.Unsetenv(key)
		}
	}
}
