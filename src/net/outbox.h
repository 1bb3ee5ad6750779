// What a connection could not send yet. Bytes are owned only while the receiver is slower. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "net/socket.h"

namespace sluice::net {

enum class Sent : std::uint8_t { all, kept, broken };

class Outbox {
 public:
  // Sends the pieces as far as the peer takes them and keeps a copy of the rest. `kept`: flush() before sending more.
  [[nodiscard]] Sent send(Socket& socket, std::span<const iovec> pieces);
  // Sends what was kept; `kept` while something is left.
  [[nodiscard]] Sent flush(Socket& socket);
  [[nodiscard]] std::size_t size() const { return bytes_.size() - at_; }
  void clear() {
    bytes_ = {};
    at_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

[[nodiscard]] inline iovec piece(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}

}  // namespace sluice::net
