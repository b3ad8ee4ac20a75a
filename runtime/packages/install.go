package packages

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// mostBytes is how large a package may be, unpacked.
const mostBytes = 4 << 30

// Install brings a package into the store and returns it with its hash. Source is a
// folder, a .zip or .tar.gz archive, or the https:// or file:// address of one. What
// is installed already with the same hash stays as it is; with another hash it is an
// error, since a version never changes.
func (s Store) Install(ctx context.Context, source string) (*Package, string, error) {
	if err := os.MkdirAll(s.Root, 0o755); err != nil {
		return nil, "", err
	}
	work, err := os.MkdirTemp(s.Root, ".install-")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(work)
	dir := filepath.Join(work, "package")
	if err := fetch(ctx, source, work, dir); err != nil {
		return nil, "", err
	}
	p, err := Read(dir)
	if err != nil {
		return nil, "", err
	}
	if at := filepath.Join(dir, filepath.FromSlash(p.Command[0])); strings.HasPrefix(p.Command[0], "./") {
		if info, err := os.Stat(at); err != nil || !info.Mode().IsRegular() {
			return nil, "", fault(BadPackage, fmt.Sprintf("%s has no file %s, which its command starts", source, p.Command[0]), "")
		}
		if err := os.Chmod(at, 0o755); err != nil {
			return nil, "", err
		}
	}
	hash, err := Hash(dir)
	if err != nil {
		return nil, "", err
	}
	to := s.place(p.Name, p.Version, p.platform())
	if there, err := Hash(to); err == nil {
		if there != hash {
			return nil, "", fault(Tampered, fmt.Sprintf("%s %s is installed already and is something else: its hash is %s, that of %s is %s", p.Name, p.Version, there, source, hash),
				"give the new one another version, or remove "+to)
		}
		p, err := Read(to)
		return p, hash, err
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, "", err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return nil, "", err
	}
	if err := os.Rename(dir, to); err != nil {
		return nil, "", err
	}
	p.Dir = to
	return p, hash, nil
}

// fetch puts what source holds into the folder dir.
func fetch(ctx context.Context, source, work, dir string) error {
	u, err := url.Parse(source)
	switch {
	case err == nil && u.Scheme == "https":
		archive := filepath.Join(work, path.Base(u.Path))
		if err := download(ctx, source, archive); err != nil {
			return err
		}
		return unpack(archive, dir)
	case err == nil && u.Scheme == "file":
		source = filepath.FromSlash(u.Path)
	case err == nil && len(u.Scheme) > 1: // one letter is a drive
		return fault(BadPackage, "a package is not fetched by "+u.Scheme, "give a folder, an archive, or an address that begins with https:// or file://")
	}
	info, err := os.Stat(source)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault(BadPackage, "there is no "+source, "give a folder or an archive with a "+DescriptionFile)
	case err != nil:
		return err
	case info.IsDir():
		if _, err := Read(source); err != nil {
			return err
		}
		return copyFolder(source, dir)
	}
	return unpack(source, dir)
}

func download(ctx context.Context, from, to string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fault(BadPackage, from+": the server answers "+resp.Status, "")
	}
	return write(to, io.LimitReader(resp.Body, mostBytes+1), 0o644)
}

// write makes a file.
func write(to string, from io.Reader, mode fs.FileMode) error {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// copyFolder copies the files of a folder, hidden ones excepted: they belong to
// version control and editors.
func copyFolder(from, to string) error {
	return filepath.WalkDir(from, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, at)
		if err != nil {
			return err
		}
		if rel != "." && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fault(BadPackage, at+" is neither a file nor a folder", "a package must not hold links")
		}
		f, err := os.Open(at)
		if err != nil {
			return err
		}
		defer f.Close()
		return write(filepath.Join(to, rel), f, info.Mode().Perm())
	})
}

// unpack unpacks an archive. Where all of it lies in one folder, that folder is left
// out.
func unpack(archive, dir string) error {
	into := dir + ".unpacked"
	left := int64(mostBytes)
	put := func(name string, mode fs.FileMode, from io.Reader) error {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return fault(BadPackage, fmt.Sprintf("%s holds %q, which leads out of it", archive, name), "")
		}
		to := filepath.Join(into, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		limited := &io.LimitedReader{R: from, N: left + 1}
		if err := write(to, limited, mode.Perm()|0o600); err != nil {
			return err
		}
		if left = limited.N - 1; left < 0 {
			return fault(BadPackage, fmt.Sprintf("%s holds more than %d GiB", archive, mostBytes>>30), "")
		}
		return nil
	}
	var err error
	switch {
	case strings.HasSuffix(archive, ".zip"):
		err = unzip(archive, put)
	case strings.HasSuffix(archive, ".tar.gz"), strings.HasSuffix(archive, ".tgz"):
		err = untar(archive, put)
	default:
		return fault(BadPackage, archive+" is no archive that nasc can read", "it reads .zip and .tar.gz")
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(into, DescriptionFile)); err == nil {
		return os.Rename(into, dir)
	}
	entries, err := os.ReadDir(into)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) != 1 || !entries[0].IsDir() {
		return fault(BadPackage, archive+" has no "+DescriptionFile, "")
	}
	return os.Rename(filepath.Join(into, entries[0].Name()), dir)
}

func unzip(archive string, put func(string, fs.FileMode, io.Reader) error) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return damaged(archive, err)
	}
	defer z.Close()
	for _, f := range z.File {
		switch {
		case f.Mode().IsDir():
			continue
		case !f.Mode().IsRegular():
			return fault(BadPackage, fmt.Sprintf("%s: %s is neither a file nor a folder", archive, f.Name), "a package must not hold links")
		}
		r, err := f.Open()
		if err != nil {
			return damaged(archive, err)
		}
		err = put(f.Name, f.Mode(), r)
		r.Close()
		if err != nil {
			return damaged(archive, err)
		}
	}
	return nil
}

func untar(archive string, put func(string, fs.FileMode, io.Reader) error) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return damaged(archive, err)
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return damaged(archive, err)
		}
		switch h.Typeflag {
		case tar.TypeReg:
			if err := put(h.Name, h.FileInfo().Mode(), t); err != nil {
				return damaged(archive, err)
			}
		case tar.TypeDir, tar.TypeXGlobalHeader:
		default:
			return fault(BadPackage, fmt.Sprintf("%s: %s is neither a file nor a folder", archive, h.Name), "a package must not hold links")
		}
	}
}

// damaged says of an archive that it cannot be read, unless the error says more.
func damaged(archive string, err error) error {
	for _, is := range []error{io.ErrUnexpectedEOF, zip.ErrFormat, zip.ErrChecksum, zip.ErrAlgorithm, gzip.ErrHeader, gzip.ErrChecksum, tar.ErrHeader} {
		if errors.Is(err, is) {
			return fault(BadPackage, fmt.Sprintf("%s is damaged: %v", archive, err), "")
		}
	}
	return err
}
