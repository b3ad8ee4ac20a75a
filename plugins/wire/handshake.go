package wire

// What a host and a plugin process agree on before the first message.
const (
	// ProtocolVersion is the version of the contract, plugins/proto/nasc/v1.
	ProtocolVersion = 1
	// CookieKey and CookieValue are in the environment of a process that is
	// started as a plugin. They are a courtesy, not a secret.
	CookieKey   = "NASC_PLUGIN"
	CookieValue = "c52f8e6b1b6d4d0f9a3b7e0d5c1a4f28"
	// HostPidKey names the variable that holds the host's process id.
	HostPidKey = "NASC_HOST_PID"
	// SocketHomeKey names the variable that holds the private folder of this
	// one plugin process. A plugin whose host is gone removes it.
	SocketHomeKey = "NASC_SOCKET_HOME"
	// SocketHomePrefix starts the name of every such folder.
	SocketHomePrefix = "nasc-"
	// ServiceName is the name of the plugin in go-plugin's set.
	ServiceName = "nasc"
)
