package compiler

// Parameters lists the parameters of a space of the file, in order; an empty
// name means the only one. There are none when there is no such space.
func (m *Module) Parameters(space string) []string {
	if all := m.Spaces(); space == "" && len(all) == 1 {
		space = all[0]
	}
	t := m.template(space)
	if t == nil {
		return nil
	}
	var out []string
	for _, p := range t.Params {
		out = append(out, p.Name.Name)
	}
	return out
}
