// Mirrors of a route: how they are written, and what is made of them. SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/snapshot.h"

namespace sluice {
namespace {

using testing::HasSubstr;

std::optional<std::string> no_variable(const char* /*name*/) {
  return std::nullopt;
}

std::string file(std::string_view mirror) {
  return "backends:\n"
         "  own: {type: compatible, base_url: \"http://h\", models: [m]}\n"
         "  shadow: {type: compatible, base_url: \"http://h\", models: [m, n], accounts: [{key: k}, {key: l}]}\n"
         "routes: [{model: m, mirror: " +
         std::string(mirror) + "}]\n";
}

TEST(MirrorSettings, AreOneOrSeveral) {
  const Loaded loaded = load_config(
      file("[{backend: shadow, model: n, share: 12.5%, max_concurrent: 3, set: {a: 1}, drop: [b]}, {backend: own}]"),
      "c", no_variable);
  ASSERT_TRUE(loaded.ok());
  const auto snapshot = Snapshot::compile(loaded.config);
  const Route& route = snapshot->routes().at(0);
  EXPECT_FALSE(route.tree) << "its requests go to whoever serves the model";
  ASSERT_EQ(route.mirrors.size(), 2u);
  const Route::Mirror& first = route.mirrors[0];
  EXPECT_EQ(first.id, "m/mirror/1");
  EXPECT_EQ(first.share, 0.125);
  EXPECT_EQ(first.max_concurrent, 3);
  ASSERT_EQ(first.way.over.size(), 2u) << "an account each";
  EXPECT_EQ(first.way.over[1].leg->backend->name, "shadow.2");
  EXPECT_EQ(first.way.over[1].leg->model, "n");
  ASSERT_EQ(first.way.over[1].leg->edits.size(), 2u);
  EXPECT_EQ(first.way.over[1].leg->edits[0].op, json::Edit::Op::drop);
  EXPECT_EQ(route.mirrors[1].share, 1);
  EXPECT_EQ(Snapshot::compile(load_config(file("{backend: own}"), "c", no_variable).config)->routes()[0].mirrors.size(),
            1u);
}

TEST(MirrorSettings, AreChecked) {
  const struct {
    std::string_view mirror;
    std::string_view told;
  } rows[] = {
      {"{model: m}", "a mirror needs a backend"},
      {"{backend: shadw}", "did you mean \"shadow\"?"},
      {"{backend: own, model: n}", "does not serve \"n\""},
      {"{backend: own, share: 0%}", "above 0%"},
      {"{backend: own, share: 101%}", "up to 100%"},
      {"{backend: own, share: 0.1}", "for example 10%"},
      {"{backend: own, share: \"%\"}", "for example 10%"},
      {"{backend: own, share: \"\"}", "for example 10%"},
      {"{backend: own, max_concurrent: 0}", "max_concurrent"},
      {"{backend: own, wait: 1}", "unknown key \"wait\""},
      {"own", "mirror"},
  };
  for (const auto& row : rows) {
    const std::string text = file(row.mirror);
    const Loaded loaded = load_config(text, "c", no_variable);
    EXPECT_FALSE(loaded.ok()) << row.mirror;
    EXPECT_THAT(render(loaded.faults, text, "c"), HasSubstr(row.told)) << row.mirror;
  }
}

}  // namespace
}  // namespace sluice
