package workspace

import "context"

type priority int

const (
	first priority = iota
	second
	last
)

func (c *Connection) admit(ctx context.Context, _ priority) error { return c.Admit(ctx) }
