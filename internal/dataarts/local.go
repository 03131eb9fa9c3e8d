/*
Copyright 2026 The DataArts Operator Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package dataarts

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"syscall"
)

// ErrLocalAddress means that a host, of the endpoint or of the proxy, leads to where Config.AllowLocal is needed.
var ErrLocalAddress = errors.New("the address is the caller's own host, its link, or a metadata service")

// IsLocalHost reports whether a host is this one, on its link, or a metadata service, as far as its name tells.
func IsLocalHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && isLocal(ip)
}

// refuseLocal is a net.Dialer's Control. It sees each address right before it is connected to, whatever name led there.
func refuseLocal(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if isLocal(target.Addr()) {
		return ErrLocalAddress
	}
	return nil
}

// metadata are the addresses of clouds' metadata services that are not link-local. They hand out credentials of
// the node.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("fd00:ec2::23"), netip.MustParseAddr("fd20:ce::254"),
	netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("192.0.0.192"), netip.MustParseAddr("168.63.129.16"),
}

func isLocal(ip netip.Addr) bool {
	ip = plain(ip)
	return slices.Contains(metadata, ip) || ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast()
}

// inIPv6 are the prefixes behind which an IPv6 address holds one of IPv4: IPv4-compatible, and translated by NAT64.
var inIPv6 = []netip.Prefix{netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96")}

// plain is the IPv4 address that an IPv6 address stands for, if it does.
func plain(ip netip.Addr) netip.Addr {
	ip = ip.WithZone("").Unmap()
	if ip.IsLoopback() || ip.IsUnspecified() {
		return ip
	}
	for _, prefix := range inIPv6 {
		if prefix.Contains(ip) {
			b := ip.As16()
			return netip.AddrFrom4([4]byte(b[12:]))
		}
	}
	return ip
}
