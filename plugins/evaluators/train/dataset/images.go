package dataset

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
)

// images reads a tree of JPEG and PNG files. Folders train, test and val (or valid,
// validation) hold the parts; without train the whole tree is one pool of which
// fifths become validation and test part. In a part, or the pool, every folder is a
// class; where there are none, a class is what follows the last underline of a file's
// name, as in 00017_cat.png. Archives (.tar, .tar.gz, .tgz, .zip) in the folder count
// as if they were unpacked there.
//
// Classes are in the order of their names, of their numbers if all are numbers, and
// images in the order of their paths. All are decoded once and kept as bytes.
func images(o Options) (*Set, error) {
	if o.Path == "" {
		return nil, refuse("data", "must name the folder of the images")
	}
	t, err := readTree(o.Path)
	if err != nil {
		return nil, err
	}
	s := &Set{Name: "images", H: t.pictures[0].h, W: t.pictures[0].w, Channels: 1, Facts: map[string]string{}}
	for _, p := range t.pictures {
		if p.h != s.H || p.w != s.W {
			return nil, refuse("data", "image %s has %dx%d pixels (width, height), but %s has %dx%d; images must be of one size",
				t.at(p.name), p.w, p.h, t.at(t.pictures[0].name), s.W, s.H)
		}
		if !p.grey {
			s.Channels = 3
		}
	}
	parts, err := t.parts()
	if err != nil {
		return nil, err
	}
	classes, err := t.classes(parts)
	if err != nil {
		return nil, err
	}
	s.Classes = len(classes)
	train := s.split(parts["train"], classes)
	if train.Len() < 5 {
		return nil, refuse("data", "folder %s has only %d training images", o.Path, train.Len())
	}
	s.Facts["dataset.files"] = t.counts(parts)
	s.Facts["dataset.classes"] = strings.Join(sorted(classes), " ")
	s.apportion(train, s.optional(parts["val"], classes), s.optional(parts["test"], classes))
	return s, nil
}

// labelled is a picture with the name of its class.
type labelled struct {
	*picture
	class string
}

// spellings are the names of the folders of the parts.
var spellings = map[string]string{"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}

// parts puts the pictures of the tree into train, val and test.
func (t *tree) parts() (map[string][]labelled, error) {
	divided := slices.ContainsFunc(t.pictures, func(p *picture) bool { return spellings[first(p.name)] == "train" })
	parts := map[string][]labelled{}
	for _, p := range t.pictures {
		part, rest := "train", p.name
		if divided {
			var ok bool
			if part, ok = spellings[first(p.name)]; !ok {
				return nil, refuse("data", "image %s is beside the folder of the training images, in none of train, val and test", t.at(p.name))
			}
			_, rest, _ = strings.Cut(p.name, "/")
		}
		l := labelled{p, first(rest)}
		if l.class == "" { // flat
			stem := strings.TrimSuffix(rest, path.Ext(rest))
			at := strings.LastIndex(stem, "_")
			if at < 0 || at == len(stem)-1 {
				return nil, refuse("data", "image %s is in no folder of a class, and its name does not end in one, as 00017_cat.png does", t.at(p.name))
			}
			l.class = stem[at+1:]
		}
		if all := parts[part]; len(all) > 0 && (first(rest) == "") != (flat(all[0].name, divided)) {
			return nil, refuse("data", "image %s is beside folders of classes, or the other way round: %s", t.at(p.name), t.at(all[0].name))
		}
		parts[part] = append(parts[part], l)
	}
	return parts, nil
}

// first is the outermost folder of a path, "" where there is none.
func first(name string) string {
	if folder, _, ok := strings.Cut(name, "/"); ok {
		return folder
	}
	return ""
}

func flat(name string, divided bool) bool {
	if divided {
		_, name, _ = strings.Cut(name, "/")
	}
	return first(name) == ""
}

// maxClasses is how many a label of one byte tells apart.
const maxClasses = 256

// classes numbers the classes of the training images.
func (t *tree) classes(parts map[string][]labelled) (map[string]byte, error) {
	known := map[string]bool{}
	for _, l := range parts["train"] {
		known[l.class] = true
	}
	for _, part := range []string{"val", "test"} {
		for _, l := range parts[part] {
			if !known[l.class] {
				return nil, refuse("data", "image %s is of the class %s, of which there is no training image", t.at(l.name), l.class)
			}
		}
	}
	for _, folder := range t.empty() {
		return nil, refuse("data", "folder %s holds no image", t.at(folder))
	}
	if len(known) < 2 || len(known) > maxClasses {
		return nil, refuse("data", "folder %s has images of %d classes; 2 to %d can be told apart", t.root, len(known), maxClasses)
	}
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	numbers := map[string]int{}
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			numbers[name] = n
		}
	}
	if len(numbers) == len(names) {
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(numbers[a], numbers[b]) })
	}
	classes := map[string]byte{}
	for i, name := range names {
		classes[name] = byte(i)
	}
	return classes, nil
}

// sorted are the names of classes by number.
func sorted(classes map[string]byte) []string {
	names := make([]string, len(classes))
	for name, i := range classes {
		names[i] = name
	}
	return names
}

// counts says how many images each part has.
func (t *tree) counts(parts map[string][]labelled) string {
	var all []string
	for _, part := range []string{"train", "val", "test"} {
		if n := len(parts[part]); n > 0 {
			all = append(all, part+" "+strconv.Itoa(n))
		}
	}
	return strings.Join(all, ", ")
}

// split puts pictures together. Grey ones among coloured ones have three equal
// channels.
func (s *Set) split(all []labelled, classes map[string]byte) Split {
	out := Split{Pixels: make([]byte, 0, len(all)*s.size()), Labels: make([]byte, 0, len(all))}
	for _, l := range all {
		for range s.Channels * s.H * s.W / len(l.pixels) {
			out.Pixels = append(out.Pixels, l.pixels...)
		}
		out.Labels = append(out.Labels, classes[l.class])
	}
	return out
}

// optional is nil for a part that is not there.
func (s *Set) optional(all []labelled, classes map[string]byte) *Split {
	if len(all) == 0 {
		return nil
	}
	out := s.split(all, classes)
	return &out
}

// apportion is divideFiles where the files of a validation part may be there.
func (s *Set) apportion(train Split, valid, test *Split) {
	if valid == nil {
		s.divideFiles(train, test)
		return
	}
	s.Train, s.Valid = train, *valid
	s.Facts["dataset.split"] = "all parts: folders of their own"
	if test != nil {
		s.Test = *test
		return
	}
	fifth := train.Len() / 5
	parts := divide(train, s.size(), train.Len()-fifth, fifth)
	s.Train, s.Test = parts[0], parts[1]
	s.Facts["dataset.split"] = "validation: a folder of its own; test: a fifth of the training files, there being no test files"
}
