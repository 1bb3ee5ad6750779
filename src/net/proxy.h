// The talk with an outbound proxy on a fresh connection, until bytes go through to the origin: HTTP CONNECT or SOCKS5.
// Every origin is tunnelled, plain ones as well: what comes out is the same connection whatever stands in between.
// Not here: which proxy (proxy_env.h). SPDX-License-Identifier: MIT
#pragma once

#include "base/result.h"
#include "base/task.h"
#include "net/connect.h"
#include "net/socket.h"

namespace sluice::net {

// Errors: upstream_unreachable (refused, wrong credentials, not a proxy), upstream_timeout, client_gone.
[[nodiscard]] Task<Result<bool>> tunnel(Socket& socket, Sleeper& sleeper, const Origin& origin);

}  // namespace sluice::net
