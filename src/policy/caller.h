// Who may call, and by an address alone: without keys of its own, the gateway serves only programs on its machine,
// unless `auth: open`. Not here: keys (credential.h), how much a caller may ask for (limits.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/text.h"

namespace sluice {

struct Key;

struct Caller {
  std::string name;    // for records: "local", "open", a key's name
  std::string tenant;  // whose limits and objects count: the name, for open callers with their address; Key::tenant
  const Key* key = nullptr;  // in the Exchange's Directory; null without keys
  bool claimed = false;      // until the signature was checked with the key's secret
};

// What a call shows of where it comes from. Views into the request's head.
struct CallOrigin {
  std::string_view peer;        // address of the socket's other end, without port
  std::string_view host;        // Host field or authority of an absolute target
  std::string_view relayed_by;  // name of the first Forwarded, X-Forwarded-* or Via field; empty when there is none
  std::string_view origin;      // the first Origin field that is not a local page's; empty when there is none
};

// Collects it. `fields` is a range of {name, value}, as http1::Fields is.
template <class Fields>
[[nodiscard]] CallOrigin call_origin(std::string_view peer, std::string_view host, const Fields& fields);

// Names the caller where there are no keys. `auth` is the config's word: "local" or "open". A call counts as local only
// if the peer is loopback, Host is a local name, no proxy has relayed it and no foreign web page sent it: a reverse
// proxy on this machine or a page in its browser must not borrow the privilege. Error: unauthorized, with how to open
// the gateway.
[[nodiscard]] Result<Caller> identify(std::string_view auth, const CallOrigin& from);

// Whose limits an address counts against: one IPv6 host may use a whole /64.
[[nodiscard]] std::string neighbourhood(std::string_view peer);

namespace caller_detail {
// True for the fields that only a relay adds.
[[nodiscard]] bool names_a_relay(std::string_view field);
[[nodiscard]] bool is_local_origin(std::string_view origin);
}  // namespace caller_detail

template <class Fields>
CallOrigin call_origin(std::string_view peer, std::string_view host, const Fields& fields) {
  CallOrigin from{.peer = peer, .host = host};
  for (const auto& field : fields) {
    if (from.relayed_by.empty() && caller_detail::names_a_relay(field.name)) from.relayed_by = field.name;
    if (from.origin.empty() && iequals(field.name, "origin") && !caller_detail::is_local_origin(field.value))
      from.origin = field.value.empty() ? "null" : field.value;
  }
  return from;
}

}  // namespace sluice
