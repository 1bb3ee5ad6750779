// Where calls may go whose address somebody else has chosen: to the public internet and nowhere nearer. It is the
// address that counts, after the name was looked up: names lie. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "net/address.h"

namespace sluice::net {

// What an address is instead of a public one, for people: "loopback", "private", "link-local" …; empty when it is
// public. An address of IPv4 within one of IPv6 (mapped, NAT64, 6to4, Teredo) is judged as what it leads to, or not let
// through.
[[nodiscard]] std::string_view why_not_public(const Address& address);

}  // namespace sluice::net
