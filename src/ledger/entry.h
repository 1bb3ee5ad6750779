// What the journal is told of an exchange, as compact bytes: an intent before each call, checkpoints of a stream that
// runs, the settlement at its end. Not here: where the bytes go (journal.h), what becomes of them (books.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/result.h"
#include "model/ledger_row.h"

namespace sluice {

// Texts are views: of whoever writes the entry, or into the bytes that were read. Of a name that is longer its
// beginning is kept. What would be wrong without its end, such as a price, is kept whole or not at all.
inline constexpr std::size_t most_entry_name = 2048, most_entry_text = 16 * 1024;

// Who asked for what: known before the first call.
struct Asker {
  std::string_view id;
  std::string_view mirror_of;
  std::int64_t unix_ms = 0;  // when the exchange began
  std::string_view key, groups, tags;
  std::string_view asked;  // the model
  std::string_view dialect, operation;
  bool stream = false;
};

// Whom is called.
struct Callee {
  std::int64_t attempt = 1;
  std::string_view backend, model;
  std::string_view price;  // as write_price() has it
  std::string_view lane;
  bool hedge = false;
};

// A call is about to begin.
struct Intent {
  Asker asker;
  Callee callee;
  std::int64_t input = 0;  // tokens, estimated
};

// A call runs, and this much of it is known. With an outcome it is over, though its exchange is not.
struct Checkpoint {
  std::string_view id;
  std::int64_t attempt = 1;
  Buckets exact, estimated;
  std::int64_t took_ms = 0;
  std::optional<RowState> outcome;
  int status = 0;
  std::optional<Fault> fault;
};

// A call as it ended.
struct CallLine {
  Callee callee;
  RowState state = RowState::complete;
  int status = 0;
  std::optional<Fault> fault;
  std::int64_t took_ms = 0;
  std::int64_t first_token_ms = -1;
  Buckets exact, estimated;
};

// An exchange as it ended, as far as its last bytes are not yet out; `calls` follow in the same entry. With `more`
// there is another one of the same exchange, with other calls.
struct Settlement {
  Asker asker;
  std::string_view served;
  RowState state = RowState::complete;
  bool coalesced = false;
  int status = 0;
  std::optional<Fault> fault;
  std::int64_t took_ms = 0;
  std::int64_t first_token_ms = -1;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::uint32_t calls = 0;
  bool more = false;
};
struct Settled {
  Settlement settlement;
  std::vector<CallLine> calls;
};

using Entry = std::variant<Intent, Checkpoint, Settled>;

// How many bytes an entry takes, and the writing of them to where there is room for so many; returns the end.
[[nodiscard]] std::size_t entry_size(const Intent& intent);
[[nodiscard]] std::size_t entry_size(const Checkpoint& checkpoint);
[[nodiscard]] std::size_t entry_size(const Settlement& settlement);
[[nodiscard]] std::size_t entry_size(const CallLine& call);
char* write_entry(char* at, const Intent& intent);
char* write_entry(char* at, const Checkpoint& checkpoint);
// `settlement.calls` lines go behind it.
char* write_entry(char* at, const Settlement& settlement);
char* write_entry(char* at, const CallLine& call);

// Error: bad_request for what is no entry. Views point into `bytes`. `lost`, when given, becomes true where a text was
// too long to be kept.
[[nodiscard]] Result<Entry> read_entry(std::string_view bytes, bool* lost = nullptr);

}  // namespace sluice
