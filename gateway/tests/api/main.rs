//! The public listener from outside: what a browser sends, what it gets. Behind it stands a house in memory.
#![cfg(test)]

mod calls;
mod conversation;
mod events;
mod knock;
mod limits;
mod lobby;
mod openapi;
mod pages;
mod security;
#[path = "../support/mod.rs"]
mod support;
mod visits;
