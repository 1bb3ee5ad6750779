// SPDX-License-Identifier: MIT
#include "dialects/tool_return.h"

#include <gtest/gtest.h>

#include "dialects/tool_name.h"
#include "model/fold.h"

namespace sluice {
namespace {

ChatRequest asked() {
  ChatRequest request;
  request.tools.push_back({.name = "plain"});
  request.tools.push_back({.name = "files.read"});
  request.tools.push_back({.kind = ToolKind::custom, .name = "shell"});
  return request;
}

Reply answered() {
  Choice choice;
  choice.parts.push_back({.body = ToolCall{.id = "a", .name = "plain", .arguments = R"({"input":"x"})"}});
  choice.parts.push_back({.body = ToolCall{.id = "b", .name = to_portable_tool_name("files.read"), .arguments = "{}"}});
  choice.parts.push_back({.body = ToolCall{.id = "c", .name = "shell", .arguments = R"({"input":"ls \"a\"\n"})"}});
  return {.choices = {choice}};
}

void expect_undone(const Reply& reply) {
  const auto call = [&](std::size_t i) { return *reply.choices.at(0).parts.at(i).as<ToolCall>(); };
  EXPECT_EQ(call(0).arguments, R"({"input":"x"})");
  EXPECT_EQ(call(1).name, "files.read");
  EXPECT_EQ(call(1).arguments, "{}");
  EXPECT_EQ(call(2).kind, ToolKind::custom);
  EXPECT_EQ(call(2).arguments, "ls \"a\"\n");
}

TEST(ToolReturn, UndoesNamesAndWrappingInAReply) {
  Reply reply = answered();
  ToolReturn(asked()).undo(reply);
  expect_undone(reply);
}

TEST(ToolReturn, UndoesThemInAStreamCutAnywhere) {
  ToolReturn undo(asked());
  Fold fold;
  for (Event& event : unfold(answered())) {
    // Arguments in pieces, each event on its own.
    std::vector<Event> piece;
    if (const auto* delta = std::get_if<Delta>(&event); delta != nullptr && delta->text.size() > 4) {
      piece = {Delta{.block = delta->block, .text = delta->text.substr(0, 4)},
               Delta{.block = delta->block, .text = delta->text.substr(4)}};
    } else {
      piece.push_back(event);
    }
    undo.undo(piece);
    for (const Event& e : piece) fold.add(e);
  }
  const auto reply = fold.take();
  ASSERT_TRUE(reply);
  expect_undone(*reply);
}

TEST(ToolReturn, LeavesAloneWhatNobodyChanged) {
  ChatRequest request;
  request.tools.push_back({.name = "plain"});
  EXPECT_FALSE(ToolReturn(request).needed());
  EXPECT_TRUE(ToolReturn(asked()).needed());
  // A model that wrote the text without its wrapping is taken at its word.
  EXPECT_EQ(unwrap_free_text("ls"), "ls");
  EXPECT_EQ(unwrap_free_text(R"({"input":"ls","more":1})"), R"({"input":"ls","more":1})");
}

}  // namespace
}  // namespace sluice
