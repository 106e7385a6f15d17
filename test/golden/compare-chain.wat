;; 344 nodes, 9 locals, 768 bytes
;;
;; 000  cmp edi, 0x1
;; 003  je 0x15
;; 005  cmp edi, 0x2
;; 008  je 0x1b
;; 00a  cmp edi, 0x3
;; 00d  ja 0x21
;; 00f  mov eax, 0x1e
;; 014  ret
;; 015  mov eax, 0xa
;; 01a  ret
;; 01b  mov eax, 0x14
;; 020  ret
;; 021  mov eax, 0x28
;; 026  ret

(module
  (type $t0 (func (param i32) (result i32)))
  (import "env" "memory" (memory $env.memory 1536 65536 shared))
  (func $region (type $t0) (param $p0 i32) (result i32)
    (local $l1 i64) (local $l2 i64) (local $l3 i64) (local $l4 i64) (local $l5 i64) (local $l6 i64) (local $l7 i32) (local $l8 i32) (local $l9 i32)
    local.get $p0
    i64.load offset=144 align=1
    local.set $l3
    local.get $p0
    i32.load offset=180 align=1
    local.set $l8
    local.get $p0
    i64.load offset=152 align=1
    drop
    local.get $p0
    i32.load offset=160 align=1
    drop
    local.get $p0
    i64.load align=1
    drop
    local.get $p0
    i64.load offset=32 align=1
    local.set $l2
    block $B0
      block $B1
        block $B2
          block $B3
            local.get $p0
            i32.load offset=168 align=1
            i32.const 2
            i32.sub
            local.set $l7
            local.get $p0
            i64.load offset=56 align=1
            local.tee $l1
            i32.wrap_i64
            local.tee $l9
            i32.const 1
            i32.eq
            if $I4
              i64.const 10
              local.set $l4
              block $B5
                local.get $l2
                i32.wrap_i64
                i32.const 8
                i32.shr_u
                i32.const 65520
                i32.and
                local.get $l8
                i32.add
                local.tee $l8
                i64.load align=1
                local.get $l2
                i64.const 7
                i64.add
                i64.const -4096
                i64.and
                i64.ne
                if $I6
                  i64.const 436273153
                  local.set $l1
                  br $B3
                end
                local.get $l8
                i32.load offset=8 align=1
                local.get $l2
                i32.wrap_i64
                i32.add
                i64.load align=1
                local.tee $l1
                i64.const 16
                i64.shl
                i64.const 16
                i64.shr_s
                local.get $l1
                i64.ne
                if $I7
                  i64.const 436273153
                  local.set $l1
                  br $B3
                end
                local.get $l2
                i64.const 8
                i64.add
                local.set $l2
              end
              local.get $l7
              i32.const 2
              i32.sub
              local.set $l7
              local.get $l1
              local.set $l3
              i64.const 0
              local.set $l1
            else
              local.get $l7
              i32.const 2
              i32.sub
              local.set $l7
              local.get $l1
              i32.wrap_i64
              local.tee $l9
              i32.const 2
              i32.eq
              if $I8
                i64.const 20
                local.set $l4
                block $B9
                  local.get $l2
                  i32.wrap_i64
                  i32.const 8
                  i32.shr_u
                  i32.const 65520
                  i32.and
                  local.get $l8
                  i32.add
                  local.tee $l8
                  i64.load align=1
                  local.get $l2
                  i64.const 7
                  i64.add
                  i64.const -4096
                  i64.and
                  i64.ne
                  if $I10
                    i64.const 536936449
                    local.set $l1
                    br $B2
                  end
                  local.get $l8
                  i32.load offset=8 align=1
                  local.get $l2
                  i32.wrap_i64
                  i32.add
                  i64.load align=1
                  local.tee $l1
                  i64.const 16
                  i64.shl
                  i64.const 16
                  i64.shr_s
                  local.get $l1
                  i64.ne
                  if $I11
                    i64.const 536936449
                    local.set $l1
                    br $B2
                  end
                  local.get $l2
                  i64.const 8
                  i64.add
                  local.set $l2
                end
                local.get $l7
                i32.const 2
                i32.sub
                local.set $l7
                local.get $l1
                local.set $l3
                i64.const 0
                local.set $l1
                br $B2
              else
                local.get $l7
                i32.const 2
                i32.sub
                local.set $l7
                local.get $l1
                i32.wrap_i64
                local.tee $l9
                i32.const 3
                i32.gt_u
                if $I12
                  i64.const 40
                  local.set $l4
                  block $B13
                    local.get $l2
                    i32.wrap_i64
                    i32.const 8
                    i32.shr_u
                    i32.const 65520
                    i32.and
                    local.get $l8
                    i32.add
                    local.tee $l8
                    i64.load align=1
                    local.get $l2
                    i64.const 7
                    i64.add
                    i64.const -4096
                    i64.and
                    i64.ne
                    if $I14
                      i64.const 637599745
                      local.set $l1
                      br $B1
                    end
                    local.get $l8
                    i32.load offset=8 align=1
                    local.get $l2
                    i32.wrap_i64
                    i32.add
                    i64.load align=1
                    local.tee $l1
                    i64.const 16
                    i64.shl
                    i64.const 16
                    i64.shr_s
                    local.get $l1
                    i64.ne
                    if $I15
                      i64.const 637599745
                      local.set $l1
                      br $B1
                    end
                    local.get $l2
                    i64.const 8
                    i64.add
                    local.set $l2
                  end
                  local.get $l7
                  i32.const 2
                  i32.sub
                  local.set $l7
                  local.get $l1
                  local.set $l3
                  i64.const 0
                  local.set $l1
                  br $B1
                else
                  i64.const 30
                  local.set $l4
                  block $B16
                    local.get $l2
                    i32.wrap_i64
                    i32.const 8
                    i32.shr_u
                    i32.const 65520
                    i32.and
                    local.get $l8
                    i32.add
                    local.tee $l8
                    i64.load align=1
                    local.get $l2
                    i64.const 7
                    i64.add
                    i64.const -4096
                    i64.and
                    i64.ne
                    if $I17
                      i64.const 335609857
                      local.set $l1
                      br $B1
                    end
                    local.get $l8
                    i32.load offset=8 align=1
                    local.get $l2
                    i32.wrap_i64
                    i32.add
                    i64.load align=1
                    local.tee $l1
                    i64.const 16
                    i64.shl
                    i64.const 16
                    i64.shr_s
                    local.get $l1
                    i64.ne
                    if $I18
                      i64.const 335609857
                      local.set $l1
                      br $B1
                    end
                    local.get $l2
                    i64.const 8
                    i64.add
                    local.set $l2
                  end
                  local.get $l7
                  i32.const 2
                  i32.sub
                  local.set $l7
                  local.get $l1
                  local.set $l3
                  i64.const 0
                  local.set $l1
                  br $B1
                end
                unreachable
              end
              unreachable
            end
          end
          local.get $l9
          i64.extend_i32_u
          local.set $l5
          i64.const 1
          local.set $l6
          br $B0
        end
        local.get $l9
        i64.extend_i32_u
        local.set $l5
        i64.const 2
        local.set $l6
        br $B0
      end
      local.get $l9
      i64.extend_i32_u
      local.set $l5
      i64.const 3
      local.set $l6
    end
    local.get $p0
    local.get $l1
    i64.const 24
    i64.shr_u
    local.get $l3
    i64.add
    i64.store offset=136 align=1
    local.get $p0
    local.get $l7
    local.get $l1
    i32.wrap_i64
    i32.const 65535
    i32.and
    i32.sub
    i32.store offset=168 align=1
    local.get $p0
    local.get $l5
    i32.wrap_i64
    local.tee $l7
    local.get $l6
    i32.wrap_i64
    local.tee $l8
    i32.sub
    local.tee $l9
    i64.extend_i32_s
    i64.store offset=152 align=1
    local.get $p0
    local.get $l8
    local.get $l7
    i32.const -1
    i32.xor
    local.tee $l7
    i32.and
    local.get $l9
    local.get $l8
    local.get $l7
    i32.or
    i32.and
    i32.or
    local.tee $l7
    i32.const -1073741824
    i32.and
    local.get $l7
    i32.const 8
    i32.and
    i32.or
    i32.store offset=160 align=1
    local.get $p0
    local.get $l4
    i64.store align=1
    local.get $p0
    local.get $l2
    i64.store offset=32 align=1
    local.get $l1
    i32.wrap_i64
    i32.const 16
    i32.shr_u
    i32.const 255
    i32.and)
  (export "region" (func $region)))
