// Package spaces holds the published search spaces as .nas files, one folder
// each, embedded in the binary so that `nasc info spaces/darts/darts.nas` works
// anywhere. A file on disk by the same path wins.
package spaces

import "embed"

// Files is the tree of shipped spaces, rooted at this folder.
//
//go:embed */*.nas
var Files embed.FS
