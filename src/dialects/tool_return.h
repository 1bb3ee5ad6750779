// What writers of requests must change in tools, undone in the answer: names with characters that the upstream does not
// take (tool_name.h), and free-text tools that became functions of one string ({"input": …}). Between an upstream's
// reader and a client's writer, whatever their dialects. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/chat.h"
#include "model/event.h"
#include "model/reply.h"

namespace sluice {

class ToolReturn {
 public:
  // Takes from the request what it needs; the request need not outlive it.
  explicit ToolReturn(const ChatRequest& asked);

  // False: there is nothing to undo in any answer to this request.
  [[nodiscard]] bool needed() const { return !changed_.empty(); }

  void undo(Reply& reply) const;
  // The events of one stream, piece by piece and in order. Free text is known when its wrapping is whole: it comes as
  // one delta at the end of its block.
  void undo(std::vector<Event>& events);

 private:
  struct Changed {
    std::string name;
    ToolKind kind = ToolKind::function;
  };
  // The tool as it was declared, or null.
  [[nodiscard]] const Changed* declared(std::string_view name) const;

  std::map<std::string, Changed, std::less<>> changed_;  // by the name on the wire
  std::map<std::int64_t, std::string> held_;             // wrapped text of the open free-text call, by choice
};

// The text of {"input": "…"}; anything else is the text itself.
[[nodiscard]] std::string unwrap_free_text(std::string_view arguments);

}  // namespace sluice
