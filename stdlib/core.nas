// The folds of rule 4: each takes a set of tensors and gives one. Every module
// knows these names without importing them.

/// Adds tensors of one shape.
op sum(xs: set) -> xs {
    commutative = true
    sparse      = true
    collapses   = true
}

/// Averages tensors of one shape.
op mean(xs: set) -> xs { commutative = true }

/// Joins tensors along their channels.
op concat(xs: set) -> [sum(xs.c), xs.h, xs.w]
