// What becomes of a call whose client has left: it is cut off, or read to its end where its vendor bills all of it all
// the same. Streams and whole answers, in whatever dialect, ask here. SPDX-License-Identifier: MIT
#pragma once

#include "gateway/exchange.h"

namespace sluice {

// True: the client has left, and the call of this backend goes on, for what it tells of its usage; nothing more is
// written to the client from here on. False: it is to be cut off.
[[nodiscard]] bool reads_on(Exchange& ex, const Backend& backend);

}  // namespace sluice
