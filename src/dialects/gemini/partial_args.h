// Arguments of a call that come in pieces, each a path and a value (Vertex, streamFunctionCallArguments): put together
// into one JSON object. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace sluice::gemini {

class PartialArgs {
 public:
  // Takes the elements of one partialArgs list. False: a path that is none, or one that leads through a scalar.
  [[nodiscard]] bool add(json::Value pieces);
  // Takes the members of a whole `args` object.
  void add_whole(json::Value args);
  // The object so far.
  [[nodiscard]] std::string text() const;

 private:
  struct Node {
    enum class Kind : std::uint8_t { none, scalar, string, object, array };
    Kind kind = Kind::none;
    std::string value;               // JSON text of a scalar, decoded text of a string
    std::vector<std::string> names;  // of the elements, for objects
    std::vector<Node> elements;
  };
  [[nodiscard]] Node* place(std::string_view path);
  static void write(json::Writer& out, const Node& node);
  static Node& member(Node& object, std::string_view name);
  Node root_{.kind = Node::Kind::object};
};

}  // namespace sluice::gemini
