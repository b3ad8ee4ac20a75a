package oneshot

import "github.com/nasc-project/nasc/plugins/sdk"

// PartialChannels lets 1/k of the channels of mixed operations through their candidates
// and the others past them (Xu et al., "PC-DARTS: Partial Channel Connections for
// Memory-Efficient Architecture Search", ICLR 2020; k is 4 there). The paper adds edge
// normalisation, [Parts.EdgeNorm].
func PartialChannels(k int) Channels { return partialChannels{k} }

type partialChannels struct{ k int }

type channelsParams struct {
	K int `default:"4" min:"1" doc:"1/k of the channels go through mixed operations"`
}

func newPartialChannels(p channelsParams) (Channels, error) { return PartialChannels(p.K), nil }

func (c partialChannels) Relaxation() sdk.Relaxation { return sdk.Relaxation{Channels: c.k} }
