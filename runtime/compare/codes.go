package compare

// The codes of what keeps runs from being compared.
const (
	NotComparable = "E0601" // they differ in something else that changes the result
	NotSaid       = "E0602" // they differ in several things, and which is compared is not said
	UnknownField  = "E0603" // --by or --across names no field of the manifests
	Nothing       = "E0604" // no finished run is left
)
